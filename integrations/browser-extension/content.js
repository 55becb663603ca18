// On a page of the CRM's: a click on a phone link opens the chat. Nothing is searched for and
// nothing is changed: one listener looks at what is clicked.
"use strict";

(() => {
  const api = globalThis.browser ?? globalThis.chrome;
  const { load, onChanged, packaged } = globalThis.openChatSettings;
  const { isPhone } = globalThis.openChatLink;

  let settings = packaged();
  const reload = async () => {
    settings = await load();
  };

  /** Also where the page's own scripts see none. */
  const shadowRoot = (element) =>
    element.openOrClosedShadowRoot ?? api.dom?.openOrClosedShadowRoot(element);

  /** What is clicked on inside of a closed shadow root, which an event does not tell. */
  const innermost = (element, event) => {
    const root = element instanceof HTMLElement && shadowRoot(element);
    if (!root) return element;
    // The Enter key clicks too, and points nowhere.
    const inner = event.detail === 0
      ? root.activeElement
      : root.elementFromPoint(event.clientX, event.clientY);
    return inner && inner.getRootNode() === root ? innermost(inner, event) : element;
  };

  const isLink = (node) => node instanceof Element && node.matches("a, area");

  /** The nearest link around a node, across shadow roots. */
  const linkAround = (node) => {
    for (let at = node; at; at = at.parentNode ?? at.host) if (isLink(at)) return at;
    return undefined;
  };

  const linkOf = (event) => {
    const path = event.composedPath();
    return linkAround(innermost(path[0], event)) ?? path.find(isLink);
  };

  /** Where a link leads; a link in a drawing keeps that elsewhere. */
  const address = (link) => (typeof link.href === "string" ? link.href : link.href?.baseVal ?? "");

  const isPlainClick = (event) =>
    event.isTrusted && event.button === 0 && !event.altKey && !event.shiftKey;

  const open = (event) => {
    // Without an id this script is of an extension that was updated or removed.
    if (!isPlainClick(event) || !api.runtime?.id) return;
    if (!settings.crm_origins.includes(self.origin)) return;
    const link = linkOf(event);
    const phone = link && address(link);
    if (!phone || !isPhone(phone, settings.schemes)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    api.runtime.sendMessage({ phone }).catch(() => {});
  };

  addEventListener("click", open, { capture: true });
  onChanged(reload);
  reload();
})();
