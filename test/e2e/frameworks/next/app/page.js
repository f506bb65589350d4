import { cookies, headers } from 'next/headers';
import { request } from '../lib/next.mjs';
import { signIn, signOut } from './actions.js';

const whoAmI = '{ viewer { username sessions { nodes { client address current } } } }';

export default async function Page({ searchParams }) {
  const answer = await request(await cookies(), await headers(), whoAmI);
  const { refused } = await searchParams;
  return (
    <main>
      <pre>{JSON.stringify(answer)}</pre>
      <p role="alert">{refused}</p>
      <form action={signIn}>
        <input name="login" />
        <input name="password" type="password" />
        <button>Sign in</button>
      </form>
      <form action={signOut}>
        <button>Sign out</button>
      </form>
    </main>
  );
}
