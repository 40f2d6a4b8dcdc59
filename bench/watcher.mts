/** Clients of the API in a process of their own: subscribe to a run, note how long each event took, and say so when all have come. */
import { io } from 'socket.io-client';

process.once('message', async (asked: { address: string; secret: string; run: string; after: number; clients: number; events: number }) => {
  const { address, secret, run, after, clients, events } = asked;
  const taken: number[] = [];
  let left = clients * events;
  for (let i = 0; i < clients; i++) {
    const socket = io(address, { transports: ['websocket'], extraHeaders: { 'x-stepwell-secret': secret }, forceNew: true });
    await new Promise<void>(resolve => socket.on('connect', resolve));
    socket.on('events', message => {
      const now = performance.timeOrigin + performance.now();
      for (const { change } of message.events) {
        taken.push(now - Number(change.reason));
        left--;
      }
      if (left === 0) process.send!(taken);
    });
    await new Promise<void>((resolve, reject) =>
      socket.emit('subscribe', { to: 'run', run, after }, (answer: { ok: boolean }) =>
        answer.ok ? resolve() : reject(new Error('refused')),
      ),
    );
  }
  process.send!('ready');
});
process.on('disconnect', () => process.exit(0));
