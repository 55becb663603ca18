import { hubspot } from '@hubspot/ui-extensions';

const service = "https://chat.example";

export type Answer = { url: string } | { why?: string };

// Asks the service for a link that opens the chat with this phone once, within five minutes.
// HubSpot's servers send and sign this, and add who the user is.
export async function askForLink(phone: string): Promise<Answer> {
  try {
    const address = `${service}/connect/hubspot?phone=${encodeURIComponent(phone)}`;
    const response = await hubspot.fetch(address, { method: 'GET', timeout: 15000 });
    const answer = await response.json();
    // Nothing but the service's own links is shown.
    if (response.ok && String(answer.url).startsWith(`${service}/`)) return { url: answer.url };
    // What the service says of a refusal is for the user to read.
    return { why: answer.detail };
  } catch {
    return {};
  }
}
