// Pipecat's JavaScript client joins with its small-webrtc transport and talks over the data channel.
import { PipecatClient, RTVIEvent } from '@pipecat-ai/client-js';
import { SmallWebRTCTransport, WavMediaManager } from '@pipecat-ai/small-webrtc-transport';
import { differentPictures, videoElement } from './watch.js';

window.run = async ({ endpoint, token }) => {
  const video = videoElement();
  const heard = { ready: null, spoken: [], started: false };
  const client = new PipecatClient({
    // the transport's other media manager loads its code from a server on the internet
    transport: new SmallWebRTCTransport({ iceServers: [], mediaManager: new WavMediaManager() }),
    enableMic: false,
    enableCam: false,
  });
  client.on(RTVIEvent.TrackStarted, (track, participant) => {
    if (participant?.local || track.kind !== 'video') return;
    video.srcObject = new MediaStream([track]);
  });
  client.on(RTVIEvent.TransportStateChanged, (state) => console.log('transport', state));
  client.on(RTVIEvent.Error, (message) => console.log('error', JSON.stringify(message)));
  client.on(RTVIEvent.BotReady, (data) => { heard.ready = data; });
  client.on(RTVIEvent.BotStartedSpeaking, () => { heard.started = true; });
  client.on(RTVIEvent.BotTtsText, (data) => heard.spoken.push(data.text));
  const headers = new Headers(token ? { Authorization: `Bearer ${token}` } : {});
  await client.connect({ webrtcRequestParams: { endpoint, headers } });
  const seen = await differentPictures(video, 10, 20000);
  await client.sendText('Who are you?');
  const deadline = Date.now() + 15000;
  while (!(heard.started && heard.spoken.length) && Date.now() < deadline) await new Promise((r) => setTimeout(r, 50));
  await client.disconnect();
  return { ...seen, ...heard };
};
