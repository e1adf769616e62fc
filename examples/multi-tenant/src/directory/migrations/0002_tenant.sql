create table tenant (
  id text primary key not null,
  name text not null,
  created_at integer not null,
  deleted_at integer,
  counted_to integer not null default 0
) strict;

create index tenant_deleted_at on tenant (deleted_at) where deleted_at is not null;

-- Whoever signs up has a tenant, made with the user or not at all.
create trigger user_tenant after insert on user begin
  insert into tenant (id, name, created_at)
  values (new.tenantId, new.name || '''s team', 1000 * unixepoch())
  on conflict do nothing;
end;

create table invitation (
  code text primary key not null,
  tenant_id text not null references tenant (id),
  expires_at integer not null
) strict;

create index invitation_tenant_id on invitation (tenant_id);

-- What a tenant is billed for.
create table usage (
  tenant_id text not null references tenant (id),
  day text not null,
  changes integer not null,
  primary key (tenant_id, day)
) strict, without rowid;
