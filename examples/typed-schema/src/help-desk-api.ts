/** What both Durable Objects do. */
export interface HelpDeskApi {
  open(subject: string, author: string, body: string): Promise<number>
  close(id: number): Promise<boolean>
  queue(): Promise<QueuedTicket[]>
}

export interface QueuedTicket {
  readonly id: number
  readonly subject: string
  readonly isUrgent: boolean
  readonly messages: number
}
