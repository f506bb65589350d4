import { fail, redirect } from '@sveltejs/kit';
import { begin, end } from '$lib/server/sveltekit.mjs';

const whoAmI = '{ viewer { username sessions { nodes { client address current } } } }';

export const load = async ({ locals }) => ({ answer: await locals.forge(whoAmI) });

export const actions = {
  async signIn(event) {
    const form = await event.request.formData();
    try {
      await begin(event, form.get('login'), form.get('password'));
    } catch (error) {
      return fail(400, { refused: error.message });
    }
    redirect(303, '/');
  },
  async signOut(event) {
    await end(event);
    redirect(303, '/');
  },
};
