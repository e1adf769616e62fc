for (const form of document.forms) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const response = await fetch(`/api/auth/${form.id}/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
    })
    if (response.ok) {
      location.reload()
    } else {
      document.querySelector('output').textContent = (await response.json()).message
    }
  })
}
