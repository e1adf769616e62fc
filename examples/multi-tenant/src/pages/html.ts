/** HTML in which the values are escaped, but for those that are `Html` themselves. */
export class Html {
  constructor(readonly text: string) {}
}

export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(render)))
}

export function respond(title: string, body: Html, script: string): Response {
  const { text } = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>${title}</title>
      <link rel="icon" href="data:," />
      <style>
        :root {
          color-scheme: light dark;
          font:
            16px/1.5 system-ui,
            sans-serif;
        }
        body {
          max-width: 40rem;
          margin: 2rem auto;
          padding: 0 1rem;
        }
        form {
          margin: 1rem 0;
        }
        li {
          margin: 0.25rem 0;
        }
        small {
          opacity: 0.7;
        }
      </style>
      <h1>${title}</h1>
      ${body}
      <script type="module">
        ${new Html(script)}
      </script>
    </html>`
  return new Response(text, { headers: { 'content-type': 'text/html; charset=utf-8' } })
}

function render(value: unknown): string {
  if (value instanceof Html) {
    return value.text
  }
  if (Array.isArray(value)) {
    return value.map(render).join('')
  }
  return String(value).replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
