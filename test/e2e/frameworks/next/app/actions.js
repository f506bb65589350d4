'use server';

import { cookies, headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { begin, end } from '../lib/next.mjs';

export async function signIn(form) {
  let refused = '';
  try {
    await begin(await cookies(), await headers(), form.get('login'), form.get('password'));
  } catch (error) {
    refused = error.message;
  }
  redirect(refused ? `/?${new URLSearchParams({ refused })}` : '/');
}

export async function signOut() {
  await end(await cookies(), await headers());
  redirect('/');
}
