// WHEP by hand: trickle, then an ICE restart under running media, then the end.
import { differentPictures, received, videoElement } from './watch.js';

const FRAGMENT = 'application/trickle-ice-sdpfrag';
const credentials = (sdp) => sdp.match(/a=ice-ufrag:.*\r\na=ice-pwd:.*\r\n/)[0];

window.run = async ({ url, token, iceServers = [], relayOnly = false, restart = true }) => {
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};
  const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy: relayOnly ? 'relay' : 'all' });
  const video = videoElement();
  video.srcObject = new MediaStream();
  pc.ontrack = ({ track }) => video.srcObject.addTrack(track);
  pc.addTransceiver('video', { direction: 'recvonly' });
  pc.addTransceiver('audio', { direction: 'recvonly' });
  const statuses = [];
  let resource = null;
  let etag = null;
  let early = [];
  const trickle = async (candidate) => {
    const body = `${credentials(pc.localDescription.sdp)}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:${candidate.sdpMid}\r\n`
      + `a=${candidate.candidate}\r\n`;
    const headers = { ...authorization, 'Content-Type': FRAGMENT, 'If-Match': etag };
    statuses.push((await fetch(resource, { method: 'PATCH', headers, body })).status);
  };
  pc.onicecandidate = ({ candidate }) => {
    if (!candidate?.candidate) return;
    if (resource) trickle(candidate); else early.push(candidate);
  };
  await pc.setLocalDescription();
  const posted = await fetch(url, {
    method: 'POST', headers: { ...authorization, 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp,
  });
  if (posted.status !== 201) throw new Error(`${posted.status} ${await posted.text()}`);
  resource = new URL(posted.headers.get('Location'), url).toString();
  etag = posted.headers.get('ETag');
  const answer = await posted.text();
  await pc.setRemoteDescription({ type: 'answer', sdp: answer });
  await Promise.all(early.map(trickle));
  early = [];
  const seen = await differentPictures(video, 5, 20000);
  const report = { ...seen, statuses, etag, restarted: null, pairs: [await pairOf(pc)], link: posted.headers.get('Link') };
  if (restart) {
    pc.onicecandidate = null;
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    await new Promise((resolve) => {
      if (pc.iceGatheringState === 'complete') resolve();
      pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && resolve();
    });
    const candidates = pc.localDescription.sdp.split('\r\n').filter((row) => row.startsWith('a=candidate:'));
    const body = `${credentials(pc.localDescription.sdp)}m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n${candidates.join('\r\n')}\r\n`;
    const headers = { ...authorization, 'Content-Type': FRAGMENT, 'If-Match': '*' };
    const patched = await fetch(resource, { method: 'PATCH', headers, body });
    const fragment = await patched.text();
    report.restarted = { status: patched.status, etag: patched.headers.get('ETag') };
    if (patched.status !== 200) throw new Error(`restart: ${patched.status} ${fragment}`);
    const fresh = fragment.split('\r\n').filter((row) => row.startsWith('a=candidate:')).join('\r\n');
    const sdp = answer.replace(/a=candidate:.*\r\n/g, '').replace(/a=end-of-candidates\r\n/g, '')
      .replace(/a=ice-ufrag:.*\r\na=ice-pwd:.*\r\n/g, `${credentials(fragment)}${fresh}\r\n`);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    const before = await received(pc);
    await differentPictures(video, 5, 20000);
    const after = await received(pc);
    report.pairs.push(await pairOf(pc));
    report.restarted.flowed = after.video > before.video;
    report.restarted.state = pc.connectionState;
  }
  report.deleted = (await fetch(resource, { method: 'DELETE', headers: authorization })).status;
  pc.close();
  return report;
};

/** The candidate pair in use. */
async function pairOf(pc) {
  const stats = await pc.getStats();
  const transport = [...stats.values()].find((report) => report.type === 'transport');
  const pair = stats.get(transport.selectedCandidatePairId);
  const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
  return { local: local.candidateType, protocol: local.relayProtocol ?? local.protocol, port: local.port,
    remote: remote.candidateType, address: remote.address, remotePort: remote.port, ufrag: remote.usernameFragment };
}
