// What a page sees: pictures that are really different from each other, and sound that is really there.

/** Resolves with figures once `wanted` different pictures were shown.
 * @param {HTMLVideoElement} video @param {number} wanted @param {number} timeoutMs */
export function differentPictures(video, wanted, timeoutMs) {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const seen = new Set();
  let shown = 0;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${shown} frames, ${seen.size} different`)), timeoutMs);
    const look = () => {
      shown += 1;
      canvas.width = video.videoWidth / 4;
      canvas.height = video.videoHeight / 4;
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
      let sum = 0;
      for (let i = 0; i < pixels.length; i += 4) sum = (sum * 31 + pixels[i] + pixels[i + 1]) >>> 0;
      seen.add(sum);
      if (seen.size >= wanted) {
        clearTimeout(timer);
        resolve({ shown, different: seen.size, width: video.videoWidth, height: video.videoHeight });
      } else {
        video.requestVideoFrameCallback(look);
      }
    };
    video.requestVideoFrameCallback(look);
  });
}

/** A video element on the page. */
export function videoElement() {
  const video = document.createElement('video');
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  document.body.append(video);
  return video;
}

/** Bytes received so far, by kind of media. @param {RTCPeerConnection} pc */
export async function received(pc) {
  const bytes = { audio: 0, video: 0 };
  for (const report of (await pc.getStats()).values()) {
    if (report.type === 'inbound-rtp') bytes[report.kind] += report.bytesReceived;
  }
  return bytes;
}
