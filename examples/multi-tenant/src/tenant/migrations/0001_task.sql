create table task (
  id text primary key not null,
  title text not null,
  done integer not null default 0,
  due_at integer,
  labels text not null default '[]',
  created_at integer not null default (cast(1000 * unixepoch('subsec') as integer)),
  updated_at integer not null default (cast(1000 * unixepoch('subsec') as integer))
) strict;

create index task_newest on task (done, created_at, id);
create index task_due on task (done, due_at) where due_at is not null;

create table archived_task (
  id text primary key not null,
  title text not null,
  archived_at integer not null default (cast(1000 * unixepoch('subsec') as integer))
) strict;
