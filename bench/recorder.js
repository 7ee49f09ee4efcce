// Runs in the page: keeps what the viewer sees and hears, with the times at which it does, until it is asked for.

(() => {
  const SOUND_EVERY_MS = 8;
  const SOUND_SAMPLES = 512;
  /** Decoders lend a few hundred pictures; holding more of them would stop the video. */
  const PICTURES_HELD = 220;

  class Recorder {
    frames = [];
    sounds = [];
    #held = 0;
    #on = false;
    #pictures = false;
    #generation = 0;
    #context = null;
    #timer = 0;

    /** @param {{pictures?: boolean, sound?: boolean}} what */
    async start({ pictures = false, sound = false } = {}) {
      this.clear();
      this.#on = true;
      this.#pictures = pictures;
      this.#generation += 1;
      if (sound) await this.#listen();
      this.#watch(this.#generation);
    }

    stop() {
      this.#on = false;
      clearInterval(this.#timer);
    }

    clear() {
      for (const { picture } of this.frames) picture?.close();
      this.frames = [];
      this.sounds = [];
      this.#held = 0;
    }

    get video() {
      return document.getElementById("video");
    }

    #watch(generation) {
      const shown = (nowMs, data) => {
        if (!this.#on || generation !== this.#generation) return;
        const keep = this.#pictures && this.#held < PICTURES_HELD;
        this.#held += keep ? 1 : 0;
        this.frames.push({
          nowMs,
          displayMs: data.expectedDisplayTime,
          presentedMs: data.presentationTime,
          receivedMs: data.receiveTime ?? null,
          rtp: data.rtpTimestamp ?? null,
          mediaS: data.mediaTime,
          presented: data.presentedFrames,
          picture: keep ? new VideoFrame(this.video) : null,
        });
        this.video.requestVideoFrameCallback(shown);
      };
      this.video.requestVideoFrameCallback(shown);
    }

    async #listen() {
      const track = this.video.srcObject.getAudioTracks()[0];
      this.#context ??= new AudioContext({ latencyHint: 0 });
      await this.#context.resume();
      const analyser = this.#context.createAnalyser();
      analyser.fftSize = SOUND_SAMPLES;
      this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      const samples = new Float32Array(SOUND_SAMPLES);
      clearInterval(this.#timer);
      this.#timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        let sum = 0;
        for (const sample of samples) sum += sample * sample;
        // the window ends about now: its middle is what the level belongs to
        const halfMs = (SOUND_SAMPLES / this.#context.sampleRate) * 500;
        this.sounds.push([performance.now() - halfMs, Math.sqrt(sum / SOUND_SAMPLES)]);
      }, SOUND_EVERY_MS);
    }

    /** Times of every frame seen. */
    times() {
      return this.frames.map(({ picture, ...times }) => times);
    }

    /**
     * The kept pictures as JPEG, base64, by their place among the frames.
     * @param {number} quality  0..1
     */
    async pictures(quality) {
      const canvas = document.createElement("canvas");
      const kept = [];
      for (const [index, { picture }] of this.frames.entries()) {
        if (!picture) continue;
        canvas.width = picture.displayWidth;
        canvas.height = picture.displayHeight;
        canvas.getContext("2d").drawImage(picture, 0, 0);
        kept.push([index, canvas.toDataURL("image/jpeg", quality).split(",")[1]]);
      }
      return kept;
    }
  }

  window.recorder = new Recorder();
})();
