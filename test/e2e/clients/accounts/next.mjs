// The session of a Next.js application: proxy.js renews the tokens, because pages cannot set
// cookies, and pages and actions use them.
import { ask, options, renewed, signIn, signOut } from './server.mjs';

const url = process.env.FORGE_URL;
const name = '__Host-session';

// browserOf reads who sends a request. headers are those of the request, or await headers().
function browserOf(headers) {
  const address = headers.get('x-forwarded-for')?.split(',').at(-1).trim() ?? '';
  return { agent: headers.get('user-agent') ?? '', address };
}

// renew is for proxy.js, which is called middleware.js before Next.js 16:
//
//   export async function proxy(request) {
//     const cookies = await renew(request);
//     const response = NextResponse.next({ request: { headers: request.headers } });
//     return cookies(response);
//   }
export async function renew(request) {
  const cookie = request.cookies.get(name)?.value;
  if (!cookie) {
    return (response) => response;
  }
  const { tokens, changed } = await renewed(url, browserOf(request.headers), cookie);
  if (tokens === null) {
    request.cookies.delete(name);
  } else if (changed) {
    request.cookies.set(name, JSON.stringify(tokens)); // for the page behind
  }
  return (response) => {
    if (tokens === null) {
      response.cookies.set(name, '', { ...options, maxAge: 0 });
    } else if (changed) {
      response.cookies.set(name, JSON.stringify(tokens), options);
    }
    return response;
  };
}

// request runs an operation for a page: await request(await cookies(), await headers(), …).
export async function request(cookies, headers, query, variables) {
  const cookie = cookies.get(name)?.value;
  const accessToken = cookie ? JSON.parse(cookie).accessToken : null;
  return ask(url, browserOf(headers), accessToken, query, variables);
}

// begin and end are for server actions.
export async function begin(cookies, headers, login, password) {
  cookies.set(name, await signIn(url, browserOf(headers), login, password), options);
}

export async function end(cookies, headers) {
  const cookie = cookies.get(name)?.value;
  if (cookie) {
    await signOut(url, browserOf(headers), cookie);
    cookies.set(name, '', { ...options, maxAge: 0 });
  }
}
