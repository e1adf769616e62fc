const list = document.querySelector('ul')
const output = document.querySelector('output')

async function send(path, args) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
  })
  const { value, refusal, error } = await response.json()
  output.textContent = refusal ?? error ?? ''
  return value
}

function onClick(selector, action) {
  document.querySelector(selector).addEventListener('click', action)
}

// The id is made here: a request that is sent again adds nothing.
document.querySelector('#add').addEventListener('submit', async (event) => {
  event.preventDefault()
  const { title, due_at } = Object.fromEntries(new FormData(event.target))
  const due = due_at === '' ? null : new Date(due_at).toISOString()
  event.target.reset()
  await send('/actions/addTask', { id: crypto.randomUUID(), title, due_at: due })
})
onClick('ul', async ({ target }) => {
  if (target.matches('button')) {
    await send('/actions/completeTask', { id: target.closest('li').id })
  }
})
onClick('#archive-done', async () => {
  output.textContent = `${await send('/actions/archiveDone', {})} archived.`
})
onClick('#invite', async () => {
  output.textContent = await send('/actions/invite', {})
})
onClick('#sign-out', async () => {
  await send('/api/auth/sign-out', {})
  location.reload()
})

/** The server tells of every change, one's own included. The list is drawn from that alone. */
function watch() {
  const socket = new WebSocket('/live')
  let isFirst = true
  socket.addEventListener('message', ({ data }) => {
    const { tasks, gone } = JSON.parse(data)
    if (isFirst) {
      list.replaceChildren()
      tasks.reverse()
    }
    isFirst = false
    gone.forEach((id) => document.getElementById(id)?.remove())
    tasks.forEach(show)
    list.dataset.live = ''
  })
  socket.addEventListener('close', ({ code }) => {
    delete list.dataset.live
    if (code !== 4001) {
      setTimeout(watch, 1000)
    }
  })
}

function show({ id, title, done, due_at, labels }) {
  const shown = document.getElementById(id)
  if (done) {
    shown?.remove()
    return
  }
  const item = document.createElement('li')
  item.id = id
  item.innerHTML = '<button>Done</button> <span></span> <small></small>'
  item.querySelector('span').textContent = title
  item.querySelector('small').textContent = [due_at?.slice(0, 10), ...labels].join(' ')
  if (shown) {
    shown.replaceWith(item)
  } else {
    list.prepend(item)
  }
}

watch()
