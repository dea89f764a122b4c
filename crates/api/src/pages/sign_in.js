// Signs in by password, by a one-time link or by a provider, and lets whoever is signed in set a password.
// What stands behind the # never leaves the browser with an address.

const at = (id) => document.getElementById(id);
const api = "/api/v1";
let csrf = null;

function tell(text, isBad = false) {
  at("notice").textContent = text;
  at("notice").classList.toggle("bad", isBad);
  at("notice").hidden = !text;
}

async function send(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (csrf) headers["x-csrf-token"] = csrf;
  const answer = await fetch(api + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  const document = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Error(document?.errors?.[0]?.detail ?? document?.detail ?? `status ${answer.status}`);
  return document;
}

function showSignedIn(account, token) {
  csrf = token;
  at("sign-in").hidden = true;
  at("providers").hidden = true;
  at("who").textContent = account.login;
  at("role").textContent = account.role;
  at("current").hidden = at("current-label").hidden = !account.has_password;
  at("current").required = account.has_password;
  at("password-title").textContent = account.has_password ? "Change the password" : "Set a password, to sign in with it next time";
  at("signed-in").hidden = false;
}

async function showForm() {
  at("signed-in").hidden = true;
  at("sign-in").hidden = false;
  at("login").focus();
  const { items } = await send("GET", "/auth/providers");
  at("providers").replaceChildren(...items.map(({ provider, title }) => {
    const link = document.createElement("a");
    link.className = "provider";
    link.href = `${api}/auth/providers/${encodeURIComponent(provider)}`;
    link.textContent = `Sign in with ${title}`;
    return link;
  }));
  at("providers").hidden = items.length === 0;
}

async function begin() {
  const given = location.hash.slice(1);
  if (given) history.replaceState(null, "", location.pathname);
  if (given.startsWith("problem=")) {
    tell("The provider did not sign you in.", true);
  } else if (given) {
    try {
      const { account, csrf_token } = await send("POST", "/auth/link", { code: given });
      return showSignedIn(account, csrf_token);
    } catch (error) {
      tell(error.message, true);
    }
  }
  const me = await fetch(`${api}/accounts/me`);
  if (me.ok) {
    const { account, csrf_token } = await me.json();
    if (account) return showSignedIn(account, csrf_token);
    tell("Nobody has to sign in here: the service is open, on this machine only.");
    return undefined;
  }
  return showForm();
}

function guarded(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      await act(new FormData(form));
    } catch (error) {
      tell(error.message, true);
    } finally {
      button.disabled = false;
    }
  });
}

guarded(at("sign-in"), async (data) => {
  const { account, csrf_token } = await send("POST", "/auth/session", { login: data.get("login"), password: data.get("password") });
  at("sign-in").reset();
  tell("");
  showSignedIn(account, csrf_token);
});

guarded(at("set-password"), async (data) => {
  const body = { password: data.get("fresh") };
  if (data.get("current")) body.current_password = data.get("current");
  const account = await send("PUT", "/accounts/me/password", body);
  at("set-password").reset();
  tell("The password is set. Every other session has ended.");
  showSignedIn(account, csrf);
});

at("sign-out").addEventListener("click", async () => {
  await send("DELETE", "/auth/session");
  csrf = null;
  tell("Signed out.");
  await showForm();
});

begin().catch((error) => tell(error.message, true));
