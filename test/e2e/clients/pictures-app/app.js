// A single-page application with pictures, written from docs/files.md. Somebody signs up, has a
// hero, and shows photos of the hero. It has another origin than Forge. /config.js says where Forge
// is.
import { formErrors } from 'forge-errors';
import { api } from '/config.js';

let token = null;
let hero = null;

const say = (text) => (document.querySelector('[role=status]').textContent = text);

// ask runs an operation, and throws what is wrong.
async function ask(query, variables) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await (await fetch(api, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })).json();
  if (answer.errors) {
    const { fields, form } = formErrors(answer, { argument: 'input' });
    throw new Error([...form, ...Object.values(fields).flat()].map((e) => e.message ?? e).join('\n'));
  }
  return answer.data;
}

// onSubmit has a form do something, and says what went wrong.
function onSubmit(id, run) {
  const form = document.getElementById(id);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    form.querySelector('button').disabled = true;
    say('');
    try {
      await run(form.elements);
      form.reset();
    } catch (error) {
      say(error.message);
    }
    form.querySelector('button').disabled = false;
  });
}

const photos = `photos { id name width height blurhash contentType
  url small: url(resize: { width: 80, height: 80, fit: COVER }, format: JPEG) }`;

onSubmit('sign-up', async ({ username, password }) => {
  const input = { username: username.value, password: password.value };
  ({ signUp: { accessToken: token } } = await ask('mutation($input: SignUpInput!) { signUp(input: $input) { accessToken } }', { input }));
  const made = await ask(`mutation($input: CreateHeroInput!) { createHero(input: $input) { hero { id name ${photos} } } }`, { input: { name: input.username } });
  hero = made.createHero.hero;
  document.querySelector('h1').textContent = hero.name;
  document.querySelector('main').hidden = false;
  document.getElementById('sign-up').hidden = true;
});

onSubmit('add', async (elements) => {
  const ids = [];
  for (const file of elements.photos.files) {
    ids.push(await upload(file, elements.resumable.checked));
  }
  await change({ connect: ids });
});

// upload sends the bytes of a file, and returns its ID.
async function upload(file, resumable) {
  const input = { name: file.name, contentType: file.type || 'application/octet-stream', size: String(file.size) };
  const { createUpload } = await ask(
    `mutation($input: CreateUploadInput!) { createUpload(input: $input) { upload { fileId url method headers { name value } } } }`, { input });
  const { fileId, url, method, headers } = createUpload.upload;
  const to = new URL(url, api).href;
  if (resumable) {
    await new Promise((onSuccess, onError) => {
      const onProgress = (sent, all) => (document.querySelector('progress').value = sent / all);
      new tus.Upload(file, { uploadUrl: to, chunkSize: 64 << 10, retryDelays: [0, 100, 500], storeFingerprintForResuming: false, onProgress, onSuccess, onError }).start();
    });
    return fileId;
  }
  const answer = await fetch(to, { method, body: file, headers: Object.fromEntries(headers.map((h) => [h.name, h.value])) });
  if (!answer.ok) {
    throw new Error(`The file could not be sent: ${answer.status}`);
  }
  return fileId;
}

// change changes the photos of the hero, and shows them.
async function change(input) {
  const answer = await ask(`mutation($id: ID!, $input: UpdateHeroInput!) { updateHero(id: $id, input: $input) { hero { ${photos} } } }`,
    { id: hero.id, input: { photos: input } });
  document.getElementById('photos').replaceChildren(...answer.updateHero.hero.photos.map(shown));
}

function shown(photo) {
  const entry = document.createElement('li');
  const link = document.createElement('a');
  const image = document.createElement('img');
  const remove = document.createElement('button');
  link.href = new URL(photo.url, api).href;
  image.src = new URL(photo.small, api).href;
  image.alt = photo.name;
  image.width = image.height = 80;
  remove.textContent = `Remove ${photo.name}`;
  remove.onclick = () => change({ disconnect: [photo.id] });
  link.append(image);
  entry.append(link, ` ${photo.width} × ${photo.height}`, remove);
  return entry;
}
