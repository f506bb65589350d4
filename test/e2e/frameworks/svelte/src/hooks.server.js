export { handle } from '$lib/server/sveltekit.mjs';
