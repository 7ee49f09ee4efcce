// @eyevinn/whip-web-client publishes Chromium's fake camera and microphone.
import { WHIPClient } from '@eyevinn/whip-web-client';

window.run = async ({ url, token, stateUrl, noTrickleIce = false }) => {
  const media = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  const client = new WHIPClient({ endpoint: url, opts: { authkey: token, iceServers: [], noTrickleIce } });
  await client.setIceServersFromEndpoint();
  await client.ingest(media);
  const resource = await client.getResourceUrl();
  const deadline = Date.now() + 20000;
  let ingest = {};
  while (!(ingest.pictures >= 10 && ingest.sound_s > 0.5) && Date.now() < deadline) {
    await new Promise((r) => setTimeout(r, 200));
    const headers = { Authorization: `Bearer ${token}` };
    ({ ingest } = await (await fetch(stateUrl, { headers })).json());
  }
  const state = client.getICEConnectionState();
  await client.destroy();
  return { ingest, resource, state };
};
