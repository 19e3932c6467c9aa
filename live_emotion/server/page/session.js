// The right to speak with the server: the token of the address becomes a cookie, and leaves the address bar.

/** Exchanges the token in the address, where there is one, for a cookie, and asks the server what it is.
 * @returns {Promise<{access: "open" | "refused" | "away", status: ?object}>} whether it lets this page in, or does not
 *   answer; and what it says of itself. */
export async function enter() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  try {
    if (token) {
      const answer = await fetch("/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
      if (answer.ok) history.replaceState(null, "", location.pathname + location.search);
    }
    const answer = await fetch("/v1/status");
    return answer.ok ? { access: "open", status: await answer.json() } : { access: answer.status === 401 ? "refused" : "away" };
  } catch {
    return { access: "away" };
  }
}

/** What the server says is wrong, from an answer in application/problem+json. */
export async function problemOf(answer) {
  try {
    const { detail, title } = await answer.json();
    return detail || title;
  } catch {
    return `live-emotion answered ${answer.status}.`;
  }
}
