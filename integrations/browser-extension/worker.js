// Opens chats: for the content script's messages, and for a selection's menu item. It alone knows
// the service's address.
import "./config.js";
import "./settings.js";
import "./link.js";

const api = globalThis.browser ?? globalThis.chrome;
const { load, onChanged, pattern } = globalThis.openChatSettings;
const { isPhone } = globalThis.openChatLink;

/** The longest selection that is sent, in characters: no phone has so many. */
const MAX_SELECTION = 64;
const MENU = "open-chat";
const SCRIPT = "phone-links";

/** One thing after the other: two quick clicks would leave two chat tabs. */
let queue = Promise.resolve();
const enqueue = (work) => {
  queue = queue.then(work).catch((error) => console.warn(`${error}`));
  return queue;
};

const chatAddress = ({ url, source }, phone) => {
  const address = new URL(url);
  address.hash = "";
  address.pathname = `${address.pathname.replace(/\/+$/, "")}/open-chat`;
  const from = source ? `&source=${source}` : "";
  address.search = `?phone=${encodeURIComponent(phone)}${from}`;
  return address.href;
};

/** Beside the CRM's tab. A window of an application takes no tabs, and a side panel is in none. */
const createTab = async (url, from) => {
  try {
    const { id, index, windowId } = from;
    return await api.tabs.create({ url, openerTabId: id, index: index + 1, windowId });
  } catch {
    return api.tabs.create({ url });
  }
};

/**
 * Opens the chat, in the place of the one before. That one's tab is not led elsewhere but replaced:
 * to the service a tab that is led elsewhere is a click on another site.
 */
const openChat = async (settings, phone, from) => {
  if (!settings.url) return api.runtime.openOptionsPage();
  const tab = await createTab(chatAddress(settings, phone), from);
  if (!settings.reuse_tab) return undefined;
  const { chatTab } = await api.storage.session.get("chatTab");
  await api.storage.session.set({ chatTab: tab.id });
  if (chatTab === undefined || chatTab === from?.id) return undefined;
  // It may be closed already.
  return api.tabs.remove(chatTab).catch(() => {});
};

const originOf = (url) => (URL.canParse(url) ? new URL(url).origin : "null");

/** Whether a message is of our own content script, on a page of a listed CRM. */
const isFromCrm = (sender, { crm_origins: listed }) =>
  sender.id === api.runtime.id &&
  sender.tab !== undefined &&
  listed.includes(sender.origin ?? originOf(sender.url));

const isPhoneLink = (message, { schemes }) =>
  typeof message?.phone === "string" && isPhone(message.phone, schemes);

api.runtime.onMessage.addListener((message, sender) => {
  enqueue(async () => {
    const settings = await load();
    if (!isFromCrm(sender, settings) || !isPhoneLink(message, settings)) return;
    await openChat(settings, message.phone, sender.tab);
  });
});

/** Whether a number is one, the server says. */
const selected = (text) => [...text.trim()].slice(0, MAX_SELECTION).join("").toWellFormed();

api.contextMenus.onClicked.addListener((info, tab) => {
  enqueue(async () => {
    const settings = await load();
    const places = [info.pageUrl, info.frameUrl].map((url) => originOf(url ?? ""));
    const isListed = places.some((origin) => settings.crm_origins.includes(origin));
    const phone = selected(info.selectionText ?? "");
    if (info.menuItemId === MENU && isListed && phone) await openChat(settings, phone, tab);
  });
});

/** Those of the origins that the user has allowed; a package made for them needs no permission. */
const allowed = async (origins) => {
  const patterns = origins.map(pattern);
  if (!api.scripting) return patterns;
  const granted = patterns.map((one) => api.permissions.contains({ origins: [one] }));
  const answers = await Promise.all(granted);
  return patterns.filter((_, at) => answers[at]);
};

const showMenu = async (documentUrlPatterns) => {
  await api.contextMenus.removeAll();
  if (documentUrlPatterns.length === 0) return;
  const title = api.i18n.getMessage("menu");
  api.contextMenus.create({ id: MENU, title, contexts: ["selection"], documentUrlPatterns });
};

const registerScript = async (matches) => {
  const registered = await api.scripting.getRegisteredContentScripts({ ids: [SCRIPT] });
  if (registered.length > 0) await api.scripting.unregisterContentScripts({ ids: [SCRIPT] });
  if (matches.length === 0) return;
  const js = ["config.js", "settings.js", "link.js", "content.js"];
  const frames = { allFrames: true, matchOriginAsFallback: true };
  await api.scripting.registerContentScripts([
    { id: SCRIPT, matches, js, runAt: "document_start", ...frames },
  ]);
};

const prepare = () =>
  enqueue(async () => {
    const { crm_origins: origins } = await load();
    const patterns = await allowed(origins);
    await showMenu(patterns);
    if (api.scripting) await registerScript(patterns);
  });

api.runtime.onInstalled.addListener(prepare);
api.runtime.onStartup.addListener(prepare);
api.permissions.onAdded.addListener(prepare);
api.permissions.onRemoved.addListener(prepare);
onChanged(prepare);
