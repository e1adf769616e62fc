/** The text of a file, as Vite imports it: https://vite.dev/guide/assets#importing-asset-as-string */
declare module '*?raw' {
  const text: string
  export default text
}
