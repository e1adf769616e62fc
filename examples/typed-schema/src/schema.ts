/** The schema as it was before there were types for it, and still is. */
export const SCHEMA = `
  create table if not exists ticket (
    id integer primary key,
    subject text not null,
    status text not null default 'open' check (status in ('open', 'waiting', 'closed')),
    priority integer not null default 2 check (priority in (1, 2, 3)),
    opened_at integer not null default (unixepoch()),
    is_urgent integer not null as (priority = 1)
  ) strict;

  create table if not exists message (
    id integer primary key,
    ticket_id integer not null references ticket (id) on delete cascade,
    author text not null,
    body text not null,
    attachment blob
  ) strict;

  create index if not exists message_ticket_id on message (ticket_id);

  create view if not exists queue as
    select ticket.id, ticket.subject, ticket.is_urgent, cast(count(message.id) as integer) as messages
    from ticket left join message on message.ticket_id = ticket.id
    where ticket.status = 'open'
    group by ticket.id;
`

/** For the command line, which runs it on an empty object and reads the types from that. */
export const migrations = { schema: SCHEMA }
