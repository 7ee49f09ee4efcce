// The desk's words in Chinese, by the English ones, which stand in the page and in the code.

/** @type {Record<string, string>} */
const ZH = {
  "Director": "导播台",
  "Anima · Director": "Anima · 导播台",
  "Session": "会话",
  "Refresh list": "刷新列表",
  "Server key": "服务器密钥",
  "none on this machine": "本机无需密钥",
  "Use": "使用",
  "Not connected": "未连接",
  "Lines": "台词",
  "Hold every line": "扣住每一句",
  "Let lines go": "放行",
  "Run-down": "流程单",
  "Waiting questions": "等待回答的问题",
  "Say now": "立即说",
  "[happy] Words for the host to speak": "[happy] 让主播说的话",
  "Say": "说",
  "Silence": "安静",
  "Figures": "数据",
  "Policy": "规则",
  "No session is running": "没有正在进行的会话",
  "Live": "实时",
  "The session has ended": "会话已结束",
  "Connecting again": "正在重新连接",
  "The server does not answer:": "服务器没有回应：",
  "waits for the pupils' answer": "等待学生回答",
  "watching": "人在看",
  "Response p50 / p95": "响应 p50 / p95",
  "ms of": "毫秒，预算",
  "ms": "毫秒",
  "Comment waited p95": "评论等待 p95",
  "Filter": "过滤",
  "nothing so far": "暂无",
  "Content": "内容",
  "no warnings": "没有警告",
  "Say it": "说出来",
  "Skip": "跳过",
  "Drop": "丢弃",
  "Replace": "替换",
  "now": "现在",
  "held": "已扣住",
  "said": "已说",
  "changed": "已改",
  "blocked": "已拦",
  "skipped": "已跳过",
  "replaced": "已替换",
  "dropped": "已丢弃",
  "new": "新",
  "merged": "合并",
  "repeated": "重复",
  "empty": "空",
  "full": "已满",
};

const STORED = "anima.language";
const asked = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem(STORED) ?? navigator.language;
export const language = asked.toLowerCase().startsWith("zh") ? "zh" : "en";

/**
 * A word of the desk in the reader's language; one without a translation stays as it is.
 * @param {string} english
 * @returns {string}
 */
export function t(english) {
  return language === "zh" ? (ZH[english] ?? english) : english;
}

/** Put the page's own words into the reader's language. */
export function translatePage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = t(document.title);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const words = node.nodeValue?.trim() ?? "";
    if (words) node.nodeValue = (node.nodeValue ?? "").replace(words, t(words));
  }
  for (const field of document.querySelectorAll("[placeholder]")) {
    field.setAttribute("placeholder", t(field.getAttribute("placeholder") ?? ""));
  }
}
