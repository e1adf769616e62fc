declare namespace Cloudflare {
  interface Env {
    readonly HAND_WRITTEN: DurableObjectNamespace<
      import('./hand-written-help-desk.js').HandWrittenHelpDesk
    >
    readonly HELP_DESK: DurableObjectNamespace<import('./help-desk.js').HelpDesk>
  }
}
