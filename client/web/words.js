// Every word on the page, in English and Chinese.

/** @typedef {"en"|"zh"} Language */
/** @typedef {import("./faults.js").FaultKind} FaultKind */

const EN = {
  title: "Anima",
  tagline: "A host who answers in voice and picture, live.",
  start: "Start talking",
  startHint: "Sound on. The microphone stays off until you switch it on.",
  retry: "Try again",
  resume: "Talk again",
  tapForSound: "Tap for sound",
  state_idle: "Ready",
  state_connecting: "Connecting",
  state_connected: "Live",
  state_reconnecting: "Reconnecting",
  state_closed: "Ended",
  state_failed: "Not connected",
  doing_listening: "Listening",
  doing_thinking: "Thinking",
  doing_speaking: "Speaking",
  connectingWords: "Waking the host",
  reconnectingWords: "The connection was lost. Trying again ({n})",
  restartingWords: "The server is restarting. You will be back in a moment ({n})",
  returningWords: "Going back into your conversation",
  closedWords: "The conversation has ended.",
  frozenWords: "The picture has stopped. Waiting for the network",
  host: "The host",
  you: "You",
  conversation: "Conversation",
  emptyTitle: "Say hello",
  emptyBody: "Ask a question and she answers, or switch to “Say exactly” and she speaks your words.",
  suggestions: ["Hello! Who are you?", "Show me your emotions", "How do you answer so fast?"],
  suggestions_commerce: ["How much is it?", "What do others say?", "How long does shipping take?"],
  suggestions_tutor: ["Can you give me an example?", "What is the formula?", "Explain again"],
  suggestions_npc: ["Hello! Who are you?", "Any news?", "Thank you, goodbye"],
  modeAsk: "Ask",
  modeSay: "Say exactly",
  modeLabel: "What your text is for",
  placeholderAsk: "Ask her something",
  placeholderSay: "Words for her to speak. [happy] and [wave] work too",
  send: "Send",
  stop: "Stop",
  stopTitle: "Stop speaking (Esc)",
  stopped: "stopped",
  refused: "not accepted",
  direct: "Direct",
  mood: "Mood",
  intensity: "Strength",
  gestures: "Gestures",
  emotion_angry: "Angry",
  emotion_disgust: "Disgusted",
  emotion_fear: "Afraid",
  emotion_happy: "Happy",
  emotion_sad: "Sad",
  emotion_surprise: "Surprised",
  emotion_neutral: "Neutral",
  gesture_nod: "Nod",
  gesture_wave: "Wave",
  gesture_shake: "Shake",
  gesture_think: "Think",
  micOn: "Speak to her: switch the microphone on",
  micOff: "Switch the microphone off",
  mic_off: "The microphone is off",
  mic_asking: "Your browser asks whether she may hear you",
  mic_on: "The microphone is on: just speak",
  mic_denied: "The browser does not allow the microphone. Change that beside the address.",
  mic_missing: "No microphone was found, or this page is not served over HTTPS.",
  mute: "Mute",
  unmute: "Unmute",
  captionsOn: "Show captions",
  captionsOff: "Hide captions",
  fullscreen: "Full screen",
  theme: "Light or dark",
  debug: "Debug overlay (D)",
  language: "Language",
  sceneLabel: "What the conversation is for",
  contentLabel: "What it is about",
  castLabel: "Who you talk to",
  castToggle: "Change host or background",
  picked: "{name} was chosen",
  portrait: "portrait",
  background: "Background",
  background_default: "Own room",
  background_transparent: "None, transparent",
  background_blur: "Blurred",
  background_colour: "Colour",
  background_upload: "Picture of yours …",
  background_studio: "Bright studio",
  background_classroom: "Classroom",
  background_shop: "Shop",
  background_loft: "Brick loft",
  background_evening: "City evening",
  leave: "End conversation",
  expand: "Show more of the conversation",
  collapse: "Show less of the conversation",
  skip: "Skip to the conversation",
  dismiss: "Dismiss",
  fault_unsupported: "This browser cannot show live video. Use a current Chrome, Edge, Firefox or Safari.",
  fault_unreachable: "The server does not answer. Check that it is running and that you are online, then try again.",
  fault_unauthorised: "This server asks for a key. Open the page with a session that your own backend has created.",
  fault_full: "All places are taken right now. Try again in {n} seconds.",
  fault_gone: "This conversation is over on the server. Start a new one.",
  fault_refused: "The server could not do that.",
  "fault_no-path": "The server answers, but no picture gets through. A firewall or VPN may block UDP; try another network.",
  fault_lost: "The connection was lost and could not be restored. Check your network, then try again.",
  fault_restarting: "The server is restarting. Try again in a moment.",
  fault_rejected: "That was not accepted.",
  fault_trouble: "Something failed on the server. The conversation goes on; try that again.",
  faultField: "Field",
  faultLimit: "Limit",
  debugStages: "Frame, due to sent",
  debugPath: "Network and player",
  debugWaiting: "Waiting for the first trace",
};

/** @type {typeof EN} */
const ZH = {
  title: "Anima",
  tagline: "用声音和画面实时回答你的主播。",
  start: "开始对话",
  startHint: "请打开声音。麦克风在你打开之前一直关闭。",
  retry: "重试",
  resume: "再聊一次",
  tapForSound: "点按开启声音",
  state_idle: "就绪",
  state_connecting: "连接中",
  state_connected: "实时",
  state_reconnecting: "重新连接中",
  state_closed: "已结束",
  state_failed: "未连接",
  doing_listening: "倾听中",
  doing_thinking: "思考中",
  doing_speaking: "讲话中",
  connectingWords: "正在唤醒主播",
  reconnectingWords: "连接已断开，正在重试（{n}）",
  restartingWords: "服务器正在重启，马上就回来（{n}）",
  returningWords: "正在回到你的对话",
  closedWords: "对话已结束。",
  frozenWords: "画面停住了，正在等待网络",
  host: "主播",
  you: "你",
  conversation: "对话",
  emptyTitle: "打个招呼吧",
  emptyBody: "提一个问题，她会回答；切换到“照着说”，她会念出你写的话。",
  suggestions: ["你好！你是谁？", "展示一下你的表情", "为什么回答这么快？"],
  suggestions_commerce: ["多少钱？", "评价怎么样？", "什么时候发货？"],
  suggestions_tutor: ["举个例子", "公式是什么？", "再讲一遍"],
  suggestions_npc: ["你好，你是谁？", "有什么消息？", "谢谢，再见"],
  modeAsk: "提问",
  modeSay: "照着说",
  modeLabel: "文字的用途",
  placeholderAsk: "问她点什么",
  placeholderSay: "让她说的话，也可以写 [happy]、[wave]",
  send: "发送",
  stop: "停止",
  stopTitle: "停止讲话（Esc）",
  stopped: "已停止",
  refused: "未被接受",
  direct: "导演",
  mood: "情绪",
  intensity: "强度",
  gestures: "动作",
  emotion_angry: "生气",
  emotion_disgust: "厌恶",
  emotion_fear: "害怕",
  emotion_happy: "开心",
  emotion_sad: "难过",
  emotion_surprise: "惊讶",
  emotion_neutral: "平静",
  gesture_nod: "点头",
  gesture_wave: "挥手",
  gesture_shake: "摇头",
  gesture_think: "思考",
  micOn: "对她说话：打开麦克风",
  micOff: "关闭麦克风",
  mic_off: "麦克风已关闭",
  mic_asking: "浏览器正在询问是否允许她听到你",
  mic_on: "麦克风已打开，请直接说话",
  mic_denied: "浏览器不允许使用麦克风，请在地址栏旁更改。",
  mic_missing: "没有找到麦克风，或此页面没有使用 HTTPS。",
  mute: "静音",
  unmute: "取消静音",
  captionsOn: "显示字幕",
  captionsOff: "隐藏字幕",
  fullscreen: "全屏",
  theme: "浅色或深色",
  debug: "调试信息（D）",
  language: "语言",
  sceneLabel: "对话场景",
  contentLabel: "内容",
  castLabel: "和谁聊",
  castToggle: "更换主播或背景",
  picked: "已选择{name}",
  portrait: "真人照片",
  background: "背景",
  background_default: "自带房间",
  background_transparent: "无（透明）",
  background_blur: "虚化",
  background_colour: "纯色",
  background_upload: "自己的图片…",
  background_studio: "明亮演播室",
  background_classroom: "教室",
  background_shop: "商店",
  background_loft: "红砖阁楼",
  background_evening: "城市夜晚",
  leave: "结束对话",
  expand: "展开对话",
  collapse: "收起对话",
  skip: "跳到对话",
  dismiss: "关闭",
  fault_unsupported: "此浏览器无法播放实时视频。请使用新版 Chrome、Edge、Firefox 或 Safari。",
  fault_unreachable: "服务器没有响应。请确认它正在运行且网络正常，然后重试。",
  fault_unauthorised: "此服务器需要密钥。请通过你的后端创建会话后再打开页面。",
  fault_full: "现在没有空位。请在 {n} 秒后重试。",
  fault_gone: "服务器上的对话已结束。请重新开始。",
  fault_refused: "服务器无法完成这个请求。",
  "fault_no-path": "服务器有响应，但画面无法到达。防火墙或 VPN 可能拦截了 UDP，请换个网络。",
  fault_lost: "连接已断开且无法恢复。请检查网络后重试。",
  fault_restarting: "服务器正在重启，请稍后再试。",
  fault_rejected: "这条内容没有被接受。",
  fault_trouble: "服务器出了点问题。对话仍在继续，请再试一次。",
  faultField: "字段",
  faultLimit: "限制",
  debugStages: "一帧：到期至发出",
  debugPath: "网络与播放",
  debugWaiting: "等待第一条跟踪",
};

/** @type {Record<Language, typeof EN>} */
const WORDS = { en: EN, zh: ZH };

/**
 * @param {string | null | undefined} tag  A BCP 47 tag or nothing.
 * @returns {Language}
 */
export function languageOf(tag) {
  return tag?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/**
 * @param {Language} language
 * @param {string} key
 * @param {Record<string, string | number>} [values]  For `{name}` places.
 * @returns {string} The key itself if there is no such word, so that a gesture of a new avatar still has a name.
 */
export function word(language, key, values = {}) {
  const found = /** @type {Record<string, unknown>} */ (WORDS[language])[key];
  const text = typeof found === "string" ? found : key.replace(/^[a-z]+_/, "");
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * @param {Language} language
 * @param {string} key
 */
export function hasWord(language, key) {
  return key in WORDS[language];
}

/**
 * @param {Language} language
 * @param {string} [scene]
 * @returns {readonly string[]}
 */
export function suggestions(language, scene = "") {
  const found = /** @type {Record<string, unknown>} */ (WORDS[language])[`suggestions_${scene}`];
  return Array.isArray(found) ? found : WORDS[language].suggestions;
}

/** @returns {Language[]} */
export function languages() {
  return /** @type {Language[]} */ (Object.keys(WORDS));
}
