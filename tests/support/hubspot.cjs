// hubspot.cjs SECRET TIMESTAMP URL…: prints the signature v3 of a GET of each address, as HubSpot's
// own package makes it.
const path = require('node:path');
const { Signature } = require(path.resolve(__dirname, '../../target/npm/node_modules/@hubspot/api-client'));

const [clientSecret, timestamp, ...urls] = process.argv.slice(2);
for (const url of urls) {
  const options = { clientSecret, url, requestBody: '', timestamp: Number(timestamp) };
  console.log(Signature.getSignature('GET', 'v3', options));
}
