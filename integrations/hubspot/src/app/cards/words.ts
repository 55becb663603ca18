// What the card says, in the language of the user.
const en = {
  ask: 'Chat with',
  open: 'Open the chat with',
  loading: 'Looking for phones…',
  noPhone: 'There is no phone here to open a chat with.',
  unread: 'The phones of this record could not be read. Reload the page.',
  failed: 'The chat could not be opened',
  again: 'Try again. If this comes back, tell the administrator.',
};

export type Words = typeof en;

const uk: Words = {
  ask: 'Чат із',
  open: 'Відкрити чат із',
  loading: 'Шукаємо телефони…',
  noPhone: 'Тут немає телефону, з яким можна відкрити чат.',
  unread: 'Не вдалося прочитати телефони цього запису. Перезавантажте сторінку.',
  failed: 'Не вдалося відкрити чат',
  again: 'Спробуйте ще раз. Якщо це повториться, повідомте адміністратора.',
};

export function wordsFor(language: string | undefined): Words {
  return language?.toLowerCase().startsWith('uk') ? uk : en;
}
