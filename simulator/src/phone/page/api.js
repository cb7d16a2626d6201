// The page's way to the control API and to the live events.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'onclick') node.addEventListener('click', value);
    else if (name === 'class') node.className = value;
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

// Throws an Error with words for people.
export async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value?.error?.message ?? `The simulator answered ${answer.status}.`);
  return value;
}

export function listen(handlers) {
  const source = new EventSource('/phone/events');
  for (const [name, handler] of Object.entries(handlers)) {
    if (name === 'open' || name === 'error') source.addEventListener(name, () => handler());
    else source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
  }
  return source;
}
