// Fakes of the browser's WebRTC and of the server's HTTP side; the tests drive them by hand.

/** Every connection made, in order. */
export class FakePeer {
  static made = [];
  static next = { open: true };

  connectionState = "new";
  localDescription = null;
  transceivers = [];
  closed = false;

  constructor(configuration) {
    this.configuration = configuration;
    this.plan = FakePeer.next;
    FakePeer.made.push(this);
  }

  addTransceiver(kind, { direction }) {
    this.transceivers.push([kind, direction]);
    return { sender: { replaceTrack: async (track) => { this.voice = track; } } };
  }

  createDataChannel(label, options) {
    this.channel = { label, options, readyState: "connecting", sent: [], send: (text) => this.channel.sent.push(JSON.parse(text)) };
    return this.channel;
  }

  offers = [];

  async createOffer(options) {
    this.offers.push(options);
    return { type: "offer", sdp: "v=0 offer" };
  }

  async setLocalDescription(description) {
    this.localDescription = description;
    for (const candidate of this.plan.candidates ?? []) this.onicecandidate({ candidate });
  }

  async setRemoteDescription(description) {
    this.remoteDescription = description;
    if (this.plan.open) setImmediate(() => this.openChannel());
  }

  openChannel() {
    if (this.channel.readyState !== "connecting") return;
    this.channel.readyState = "open";
    this.connectionState = "connected";
    this.channel.onopen();
  }

  become(connectionState) {
    this.connectionState = connectionState;
    this.onconnectionstatechange();
  }

  hear(type, data = {}, id = "s1") {
    this.channel.onmessage({ data: JSON.stringify({ label: "rtvi-ai", id, type, data }) });
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.connectionState = "closed";
    this.channel.readyState = "closed";
    this.channel.onclose();
  }
}

/** Answers by `METHOD path`; a function, a body or `[status, body, headers]`. Keeps every call. */
export class FakeServer {
  calls = [];
  routes = {
    "POST /v1/sessions": [201, { id: "abc", token: "secret", offer_url: "/api/offer", ice_servers: [] }],
    "POST /api/offer": [200, { sdp: "v=0 answer", type: "answer", pc_id: "pc7" }],
    "PATCH /api/offer": [200, { status: "success" }],
    "DELETE /v1/sessions/abc": [204, null],
  };

  fetch = async (url, init) => {
    const key = `${init.method} ${url}`;
    this.calls.push({ key, body: init.body && JSON.parse(init.body), headers: init.headers, keepalive: init.keepalive });
    let answer = this.routes[key];
    if (typeof answer === "function") answer = await answer();
    if (!answer) throw new TypeError("fetch failed");
    const [status, body, headers] = answer;
    return new Response(body === null ? null : JSON.stringify(body), { status, headers });
  };

  /** @returns {string[]} */
  get keys() {
    return this.calls.map((call) => call.key);
  }
}

/** Until `condition` holds; a bound in turns of the event loop, not in time. */
export async function until(condition) {
  for (let i = 0; i < 500; i += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`never: ${condition}`);
}
