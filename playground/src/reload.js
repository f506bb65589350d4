// While somebody works on the source (go run . dev), the server tells the page which build it is. The page asks
// again and again, and reloads once there is another one. The tabs and their texts are kept by the storage.
async function build() {
  try {
    return (await (await fetch('/config.json')).json()).build;
  } catch {
    return undefined; // one build ends, and the next one is about to start
  }
}

build().then((first) => {
  if (first) {
    setInterval(async () => {
      const now = await build();
      if (now && now !== first) {
        location.reload();
      }
    }, 500);
  }
});
