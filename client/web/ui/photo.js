// A photo as it is sent: read as this browser reads it, turned upright, not larger than is of use.

import { fitted, isRedrawn, JPEG_QUALITY, Refusal } from "../portrait.js";

/**
 * @param {File} file
 * @returns {Promise<Blob>} The file itself where that does. Rejects with a `Refusal` if it is no picture.
 */
export async function readyToSend(file) {
  const url = URL.createObjectURL(file);
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    // an element's natural size and what a canvas takes of it are upright already (EXIF orientation)
    const { naturalWidth, naturalHeight } = picture;
    if (!isRedrawn(file, naturalWidth, naturalHeight)) return file;
    return await redrawn(picture, fitted(naturalWidth, naturalHeight));
  } catch (error) {
    throw error instanceof Refusal ? error : unreadable(error);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {HTMLImageElement} picture
 * @param {{width: number, height: number}} size
 * @returns {Promise<Blob>}
 */
function redrawn(picture, { width, height }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw unreadable("no canvas");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(unreadable("no JPEG"))), "image/jpeg", JPEG_QUALITY);
  });
}

/** @param {unknown} error */
function unreadable(error) {
  return new Refusal({ field: "photo", key: "ownNo_unreadable", detail: String(error) });
}
