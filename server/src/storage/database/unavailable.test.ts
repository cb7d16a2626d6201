import { Socket } from 'node:net';
import pg from 'pg';
import { expect, it, test } from 'vitest';
import { StorageUnavailable } from '../storage.ts';
import { runTransaction } from './transaction.ts';
import { isUnavailable } from './unavailable.ts';

const errorOf = (facts: object) => Object.assign(new Error('something broke'), facts);

test.each([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EMFILE', 'ENFILE', 'ECONNABORTED', 'EADDRNOTAVAIL', 'ENOBUFS', 'EIO'],
  ...['ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ERR_SOCKET_CLOSED', 'ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC'],
  ...['08006', '53300', '57P01', '57014', '55P03', '58030', '25006'],
])('%s means that the database could not be asked', (code) => {
  expect(isUnavailable(errorOf({ code }))).toBe(true);
});

test.each([
  ...['23505', '22P02', '40001', '40P01', '42P01', '42501', '25P02', 'P0001', 'XX000', 'F0000'],
  ...['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_STREAM_NULL_VALUES', ''],
])('%j is an answer, or our own fault', (code) => {
  expect(isUnavailable(errorOf({ code }))).toBe(false);
});

it('knows what the operating system refused by its call, whatever the code', () => {
  expect(isUnavailable(errorOf({ code: 'UNKNOWN', errno: -4094, syscall: 'connect' }))).toBe(true);
  expect(isUnavailable(new AggregateError([errorOf({ code: 'EMFILE' }), errorOf({ code: 'ECONNREFUSED' })]))).toBe(
    true,
  );
});

it('says so of a transaction for which no connection could be made', async () => {
  const stream = () => {
    const socket = new Socket();
    socket.connect = () => socket.destroy(errorOf({ code: 'EMFILE', syscall: 'connect' }));
    return socket;
  };
  const pool = new pg.Pool({ stream });
  const work = runTransaction(
    pool,
    'BEGIN',
    () => {},
    () => Promise.resolve(),
  );
  await expect(work).rejects.toBeInstanceOf(StorageUnavailable);
  await pool.end();
});
