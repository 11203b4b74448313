/** URLs: what is asked for, and what of it may be said aloud. */
import { ArgumentError } from '../errors.js';

export interface Address {
  /** Without name and password, which fetch refuses in a URL, and without a fragment. */
  readonly href: string;
  /** What errors call it: without name, password and query, where signatures are. */
  readonly shown: string;
  /** The header that name and password are sent in. */
  readonly authorization: string | undefined;
}

/** @throws ArgumentError for what is no URL; in a page it may be one relative to the page. */
export function addressOf(path: string): Address {
  let url: URL;
  try {
    url = new URL(path, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch {
    // Without the cause, which quotes all of it.
    const said = path.replace(/\/\/.*@/, '//').replace(/[?#].*$/s, '');
    throw new ArgumentError(`wavecube: '${said}' is no valid URL`);
  }
  const { username, password } = url;
  url.username = url.password = url.hash = '';
  return {
    href: url.href,
    shown: url.origin + url.pathname + (url.search ? '?…' : ''),
    authorization: username || password ? basic(username, password) : undefined,
  };
}

function basic(username: string, password: string): string {
  const plain = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const bytes = new TextEncoder().encode(`${plain(username)}:${plain(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** The address of a file beside another, or in the folder that an address with a '/' at its end is. Without a query of its own. */
export function addressIn({ href, authorization }: Address, parts: readonly string[] = []): Address {
  const url = new URL(parts.map(encodeURIComponent).join('/') || '.', href);
  return { href: url.href, shown: url.origin + url.pathname, authorization };
}
