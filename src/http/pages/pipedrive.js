// Tells Pipedrive that the page is there, as its SDK does: what has not done so after ten seconds is not shown.
(() => {
  const id = new URLSearchParams(location.search).get('id');
  if (!id || parent === window) return;
  // Pipedrive takes these heights.
  const height = Math.min(Math.max(Math.ceil(document.body.getBoundingClientRect().height), 100), 750);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => port1.close();
  // The id is Pipedrive's own, and means nothing to another page.
  parent.postMessage({ payload: { command: 'initialize', args: { size: { height } }, type: 'command' }, id }, '*', [port2]);
})();
