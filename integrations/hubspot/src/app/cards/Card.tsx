// HubSpot: a button for each phone of the record, which opens the chat with this client.
import React, { useEffect, useState } from 'react';
import { Alert, Button, Flex, LoadingButton, LoadingSpinner, Text, hubspot } from '@hubspot/ui-extensions';
import { Answer, askForLink } from './link';
import { Phones, hasPhones, useContactsPhones, useOwnPhones } from './phones';
import { Words, wordsFor } from './words';

// A link is good for five minutes.
const shown = 4 * 60 * 1000;

hubspot.extend<'crm.record.sidebar' | 'helpdesk.sidebar'>(({ context }) => {
  const words = wordsFor(context.user.language ?? context.user.locale);
  const { objectTypeId } = context.crm;
  return hasPhones(objectTypeId) ? <OwnPhones objectType={objectTypeId} words={words} /> : <ContactsPhones words={words} />;
});

function OwnPhones({ objectType, words }: { objectType: string; words: Words }) {
  return <Chats found={useOwnPhones(objectType)} words={words} />;
}

function ContactsPhones({ words }: { words: Words }) {
  return <Chats found={useContactsPhones()} words={words} />;
}

function Chats({ found, words }: { found: Phones; words: Words }) {
  if (found.isLoading) return <LoadingSpinner label={words.loading} />;
  if (found.error) return <Text>{words.unread}</Text>;
  if (found.phones.length === 0) return <Text>{words.noPhone}</Text>;
  return (
    <Flex direction="column" gap="small">
      {found.phones.map((phone) => <Chat key={phone} phone={phone} words={words} />)}
    </Flex>
  );
}

// HubSpot opens no tab for a card's script: the first press asks for a link, the second follows it.
function Chat({ phone, words }: { phone: string; words: Words }) {
  const [isAsking, setAsking] = useState(false);
  const [answer, setAnswer] = useState<Answer>();
  const url = answer && 'url' in answer ? answer.url : undefined;

  useEffect(() => {
    if (!url) return undefined;
    const timer = setTimeout(() => setAnswer(undefined), shown);
    return () => clearTimeout(timer);
  }, [url]);

  const ask = async () => {
    setAsking(true);
    setAnswer(await askForLink(phone));
    setAsking(false);
  };

  if (url) {
    return (
      <Button variant="primary" href={{ url, external: true }} onClick={() => setAnswer(undefined)}>
        {`${words.open} ${phone}`}
      </Button>
    );
  }
  return (
    <>
      <LoadingButton loading={isAsking} onClick={ask}>{`${words.ask} ${phone}`}</LoadingButton>
      {answer && 'why' in answer && <Alert title={words.failed} variant="danger">{answer.why ?? words.again}</Alert>}
    </>
  );
}
