-- Which tasks changed, in order. Triggers write it, so it has every change that was committed,
-- whoever made it, and none that was rolled back.
create table change (
  seq integer primary key autoincrement,
  task_id text not null,
  at integer not null default (unixepoch())
) strict;

create trigger task_inserted after insert on task begin
  insert into change (task_id) values (new.id);
end;

create trigger task_updated after update on task begin
  insert into change (task_id) values (new.id);
end;

create trigger task_deleted after delete on task begin
  insert into change (task_id) values (old.id);
end;
