import { html, respond } from './html.js'
import script from './sign-in-client.js?raw'

export function signInPage(): Response {
  return respond(
    'Tasks',
    html`<form id="sign-in">
        <input name="email" type="email" placeholder="Address" required />
        <input name="password" type="password" placeholder="Password" minlength="8" required />
        <button>Sign in</button>
      </form>
      <form id="sign-up">
        <input name="name" placeholder="Name" required />
        <input name="email" type="email" placeholder="Address" required />
        <input name="password" type="password" placeholder="Password" minlength="8" required />
        <button>Sign up</button>
      </form>
      <output></output>`,
    script,
  )
}
