-- What `npx auth generate` writes for src/directory/auth.ts, and an index.
create table user (
  id text primary key not null,
  name text not null,
  email text not null unique,
  emailVerified integer not null,
  image text,
  createdAt text not null,
  updatedAt text not null,
  tenantId text not null
);

create index user_tenantId on user (tenantId);

create table session (
  id text primary key not null,
  expiresAt text not null,
  token text not null unique,
  createdAt text not null,
  updatedAt text not null,
  ipAddress text,
  userAgent text,
  userId text not null references user (id) on delete cascade
);

create index session_userId on session (userId);

create table account (
  id text primary key not null,
  accountId text not null,
  providerId text not null,
  userId text not null references user (id) on delete cascade,
  accessToken text,
  refreshToken text,
  idToken text,
  accessTokenExpiresAt text,
  refreshTokenExpiresAt text,
  scope text,
  password text,
  createdAt text not null,
  updatedAt text not null
);

create index account_userId on account (userId);

create table verification (
  id text primary key not null,
  identifier text not null,
  value text not null,
  expiresAt text not null,
  createdAt text not null,
  updatedAt text not null
);

create index verification_identifier on verification (identifier);
