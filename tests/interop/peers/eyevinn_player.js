// @eyevinn/webrtc-player plays a session from its WHEP address.
import { WebRTCPlayer } from '@eyevinn/webrtc-player';
import { differentPictures, videoElement } from './watch.js';

window.run = async ({ url, token }) => {
  const video = videoElement();
  const player = new WebRTCPlayer({ video, type: 'whep', iceServers: [], detectTimeout: false });
  await player.load(new URL(url), token && `Bearer ${token}`);
  const seen = await differentPictures(video, 10, 20000);
  await player.unload();
  return seen;
};
