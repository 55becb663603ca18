// The company's login: a real OpenID provider (npm's oidc-provider) at https://login.example.test,
// with accounts of the tests. Any password is right.
//
// provider.mjs KEY CERTIFICATE CLIENT-SECRET
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../target/login/npm/', import.meta.url))
const { Provider } = await import(require.resolve('oidc-provider'))

const [key, cert, secret] = process.argv.slice(2)
const issuer = 'https://login.example.test'
const groups = Array.from({ length: 500 }, (_, number) => `CN=Department ${number},OU=Groups,DC=example,DC=com`)
const accounts = {
  'ann@example.com': {},
  'bob@example.com': {},
  'carol@example.com': {},
  'groups@example.com': { groups },
  'unverified@example.com': { email_verified: false },
  'mallory@elsewhere.test': {},
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'open-chat',
      client_secret: secret,
      redirect_uris: ['https://chats.example.com/oauth2/callback', 'https://chats.example.com:8443/oauth2/callback'],
      post_logout_redirect_uris: ['https://chats.example.com/logged-out'],
    },
  ],
  // As Google, Microsoft and Keycloak do: the address is in the ID token itself.
  conformIdTokenClaims: false,
  claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'] },
  findAccount: (_, id) =>
    accounts[id] && {
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: true, ...accounts[id] }),
    },
  // A company's own application asks nobody for consent.
  loadExistingGrant: async (context) => {
    const { client, session } = context.oidc
    const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope('openid email')
    await grant.save()
    return grant
  },
  cookies: { keys: ['canary-provider-cookies'] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  pkce: { required: () => true },
})

const answer = provider.callback()
const options = { key: readFileSync(key), cert: readFileSync(cert), maxHeaderSize: 65536 }
createServer(options, (request, response) => {
  // What a provider gets to see of a login, for the test that says so.
  if (request.url.startsWith('/auth?')) console.log(`authorization request: ${request.url}`)
  answer(request, response)
}).listen(443, '192.0.2.20', () => console.log('the provider listens'))
