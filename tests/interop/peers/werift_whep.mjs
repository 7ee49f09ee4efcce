// werift, WebRTC in TypeScript, plays a session over WHEP without a browser and prints what arrived as JSON.
import { RTCPeerConnection, RTCRtpCodecParameters } from 'werift';

const [url, token] = process.argv.slice(2);
const pc = new RTCPeerConnection({
  iceServers: [],
  codecs: {
    video: [new RTCRtpCodecParameters({
      mimeType: 'video/VP8', clockRate: 90000, rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
    })],
    audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48000, channels: 2 })],
  },
});
const packets = { video: 0, audio: 0 };
const times = new Set();
pc.onTrack.subscribe((track) => track.onReceiveRtp.subscribe((rtp) => {
  packets[track.kind] += 1;
  if (track.kind === 'video') times.add(rtp.header.timestamp);
}));
pc.addTransceiver('video', { direction: 'recvonly' });
pc.addTransceiver('audio', { direction: 'recvonly' });
await pc.setLocalDescription(await pc.createOffer());
const headers = { 'Content-Type': 'application/sdp', ...(token && { Authorization: `Bearer ${token}` }) };
const answer = await fetch(url, { method: 'POST', headers, body: pc.localDescription.sdp });
if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
const resource = new URL(answer.headers.get('location'), url);
await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
const deadline = Date.now() + 20000;
while ((times.size < 25 || packets.audio < 25) && Date.now() < deadline) await new Promise((r) => setTimeout(r, 50));
const deleted = (await fetch(resource, { method: 'DELETE', headers })).status;
console.log(JSON.stringify({ state: pc.connectionState, frames: times.size, ...packets, deleted }));
await pc.close();
process.exit(0);
