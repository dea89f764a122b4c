// A provider of identities for tests: OpenID Connect by oauth2-mock-server, and who it is as Yandex ID tells it, at one port of
// this machine. It is as strict as a provider should be, which the package is not: the client, the address that the browser
// came back to, the PKCE verifier and the code, which holds once, are looked at here.
//
//   node provider.mjs FOLDER PORT ALGORITHM CLIENT SECRET
//
// FOLDER has the package in its node_modules, port 0 is any, and a public client has the secret "". It says where it is in one
// line, answers each line of standard input with one, and ends when there are no more.

import { createHash, createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const [folder, port, algorithm, clientId, clientSecret] = process.argv.slice(2);
const found = createRequire(pathToFileURL(`${folder}/`)).resolve("oauth2-mock-server");
const { OAuth2Issuer, OAuth2Service } = await import(pathToFileURL(found));

const issuer = new OAuth2Issuer();
const service = new OAuth2Service(issuer);
const key = await issuer.keys.generate(algorithm);

// Who sits at the browser, and where it is told: in the ID token, or by /userinfo alone.
let person = { subject: "somebody", email: undefined, isVerified: false, place: "token" };
const honest = () => ({ claims: {}, times: {}, metadata: {}, keys: [], signature: "own", failures: {}, error: undefined });
let faults = honest();
// What was given out against each code.
const grants = new Map();
// What must not stand in a log, and how many followed to where they were led.
const issued = { codes: [], verifiers: [], tokens: [], led: 0 };

const commands = {
  subject: (subject) => void (person.subject = subject),
  email: (email, word, place = "token") => void Object.assign(person, { email, isVerified: word === "verified", place }),
  // What the ID token says instead; what is null is left out.
  claims: (json) => void (faults.claims = JSON.parse(json)),
  // The same of instants, in seconds from now.
  times: (json) => void (faults.times = JSON.parse(json)),
  // What the discovery document says instead.
  metadata: (json) => void (faults.metadata = JSON.parse(json)),
  // What stands beside its keys.
  keys: (json) => void (faults.keys = JSON.parse(json)),
  // The ID token is signed in another way.
  signature: (way) => void (faults.signature = way),
  // The person, or the provider, says no.
  refuse: (error) => void (faults.error = error),
  // An address answers with a status, or `never`, or without end.
  fail: (path, how) => void (faults.failures[path] = how),
  normal: () => void (faults = honest()),
  issued: () => JSON.stringify(issued),
};

function addressOf({ email, isVerified }) {
  return email === undefined ? {} : { email, email_verified: isVerified };
}

service.on("beforeWellKnownOpenIdConfiguration", ({ body }) => {
  Object.assign(body, { id_token_signing_alg_values_supported: [algorithm] }, faults.metadata);
});

service.on("beforeAuthorizeRedirect", ({ url }, { query }) => {
  const code = url.searchParams.get("code");
  if (faults.error !== undefined) {
    url.searchParams.delete("code");
    url.searchParams.set("error", faults.error);
    return;
  }
  issued.codes.push(code);
  grants.set(code, { redirectUri: query.redirect_uri, challenge: query.code_challenge });
});

service.on("beforeTokenSigning", ({ payload }) => {
  // The access token is nobody's but the provider's.
  if (!("aud" in payload)) {
    return;
  }
  const now = payload.iat;
  const times = Object.entries(faults.times).map(([name, seconds]) => [name, now + seconds]);
  delete payload.nbf;
  Object.assign(payload, { sub: person.subject }, person.place === "token" ? addressOf(person) : {});
  Object.assign(payload, Object.fromEntries(times), faults.claims);
  Object.keys(payload).filter((name) => payload[name] === null).forEach((name) => delete payload[name]);
});

service.on("beforeResponse", ({ body }) => {
  if (body.id_token !== undefined) {
    body.id_token = signedAnew(body.id_token, faults.signature);
  }
  issued.tokens.push(body.access_token, body.id_token, body.refresh_token);
});

service.on("beforeUserinfo", ({ body }) => {
  Object.assign(body, { sub: person.subject }, addressOf(person));
});

service.addRoute("GET", "/info", (request, response) => {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme !== "OAuth" || !issued.tokens.includes(token)) {
    return answer(response, 401, {});
  }
  answer(response, 200, { id: person.subject, login: "somebody", client_id: clientId, default_email: person.email });
});

function signedAnew(token, way) {
  const [header, payload, own] = token.split(".");
  const encoded = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
  const decoded = (part) => JSON.parse(Buffer.from(part, "base64url"));
  const headed = (alg) => `${encoded({ ...decoded(header), alg })}.${payload}`;
  const hashed = (secret) => `${headed("HS256")}.${createHmac("sha256", secret).update(headed("HS256")).digest("base64url")}`;
  switch (way) {
    case "own":
      return token;
    case "other-key": {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      return `${headed("RS256")}.${sign("sha256", Buffer.from(headed("RS256")), privateKey).toString("base64url")}`;
    }
    case "none":
      return `${headed("none")}.`;
    case "none-as-before":
      return `${headed("none")}.${own}`;
    case "client-secret":
      return hashed(clientSecret);
    case "public-key":
      return hashed(createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" }));
    case "of-another-payload":
      return `${header}.${encoded({ ...decoded(payload), sub: "42" })}.${own}`;
    case "no-token":
      return undefined;
    case "no-jwt":
      return `${header}.${payload}`;
    default:
      throw new Error(`no such signature: ${way}`);
  }
}

// Why a request for tokens is refused, as RFC 6749 has it.
function refusal(request, body) {
  const [scheme, credentials = ""] = (request.headers.authorization ?? "").split(" ");
  const pair = Buffer.from(credentials, "base64").toString().split(":").map(decodeURIComponent);
  const [id, secret] = scheme === "Basic" ? pair : [body.get("client_id"), body.get("client_secret") ?? ""];
  if (id !== clientId || secret !== clientSecret) {
    return [401, { error: "invalid_client" }];
  }
  issued.verifiers.push(body.get("code_verifier"));
  const grant = grants.get(body.get("code"));
  grants.delete(body.get("code"));
  const challenge = createHash("sha256").update(body.get("code_verifier") ?? "").digest("base64url");
  const isGranted = grant?.redirectUri === body.get("redirect_uri") && grant?.challenge === challenge;
  return isGranted ? undefined : [400, { error: "invalid_grant" }];
}

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function fail(response, how) {
  if (how === "endless") {
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(" ".repeat(4 << 20));
  }
  if (how === "302") {
    response.setHeader("location", `${issuer.url}/.well-known/openid-configuration?led`);
  }
  if (how !== "never") {
    // As whatever stands before a provider says it.
    response.writeHead(Number(how), { "content-type": "text/html" });
    response.end("<h1>Not now</h1>");
  }
}

const server = createServer(async (request, response) => {
  // Whoever was kept alive would not notice that the provider went.
  response.setHeader("connection", "close");
  const { pathname: path, search } = new URL(request.url, issuer.url);
  if (search === "?led") {
    issued.led += 1;
  }
  if (path in faults.failures) {
    return fail(response, faults.failures[path]);
  }
  if (path === "/jwks") {
    return answer(response, 200, { keys: [...faults.keys, ...issuer.keys.toJSON()] });
  }
  if (path === "/userinfo" && !issued.tokens.includes(request.headers.authorization?.replace("Bearer ", ""))) {
    return answer(response, 401, {});
  }
  if (path !== "/token") {
    return service.requestHandler(request, response);
  }
  const body = await text(request);
  const refused = refusal(request, new URLSearchParams(body));
  if (refused !== undefined) {
    return answer(response, ...refused);
  }
  // The package reads the body once more.
  const { method, headers, url } = request;
  service.requestHandler(Object.assign(Readable.from([Buffer.from(body)]), { method, headers, url }), response);
});

server.listen(Number(port), "127.0.0.1", () => {
  issuer.url = `http://127.0.0.1:${server.address().port}`;
  console.log(issuer.url);
});

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [name, ...words] = line.split(" ");
  // JSON is one word, whatever stands in it.
  const told = words[0]?.match(/^[[{]/) ? [words.join(" ")] : words;
  console.log(name in commands ? `done ${commands[name](...told) ?? ""}` : `there is no ${name}`);
});
lines.on("close", () => process.exit());
