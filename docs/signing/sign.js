// A pass for open-chat: node sign.js OPERATOR [PHONE] prints one. Needs Node 16 or later, and PASS_SECRET in the environment.
// On a server only: a reader of the secret can open every operator's panel.
const { createHmac } = require('node:crypto');

function openChatPass(secret, operator, phone, seconds = 600) {
  // An undefined phone is left out of the JSON.
  const claims = { sub: operator, exp: Math.floor(Date.now() / 1000) + seconds, phone: phone?.trim() ? phone : undefined };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

console.log(openChatPass(process.env.PASS_SECRET, process.argv[2], process.argv[3]));
