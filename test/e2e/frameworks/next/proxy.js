import { NextResponse } from 'next/server';
import { renew } from './lib/next.mjs';

export async function proxy(request) {
  const cookies = await renew(request);
  const response = NextResponse.next({ request: { headers: request.headers } });
  return cookies(response);
}
