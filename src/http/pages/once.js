// A second press would cancel the answer to the first, which has used up the invitation or the link.
// After a while the button works again, for those who have pressed the browser's Stop.
{
  const PAUSE_MS = 10_000;
  let pausedUntil = 0;
  addEventListener("submit", (event) => {
    if (event.timeStamp < pausedUntil) event.preventDefault();
    else pausedUntil = event.timeStamp + PAUSE_MS;
  });
}
