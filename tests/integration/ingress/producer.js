// Publishes to the queues of a test as producers of the reference systems do, each message twice, with
// garbage in between. Usage: node producer.js URL '{"queues": {"calls": "call_queue", ...}, "count": 20}'
// Prints how many messages were published and confirmed.

const amqp = require('amqplib');

const now = () => new Date().toISOString();

const SHAPES = {
  calls: (n) => ({ body: { call_id: `call-${n}`, phone_number: `+4366${n}`, attempt: 1, timestamp: Date.now() / 1000 } }),
  events: (n) => ({
    body: { type: 'ODDS_UPDATED', payload: { market: n }, metadata: { eventId: `e-${n}`, timestamp: now() } },
  }),
  plain: (n) => ({ body: { type: 'TASK_CREATED', payload: { id: n, title: `täsk ${n}` } } }),
  cloudevents: (n) => ({
    body: { specversion: '1.0', id: String(n), source: '/shop', type: 'com.shop.paid', time: now(), data: { order: n } },
    options: { contentType: 'application/cloudevents+json' },
  }),
  envelope: (n) => ({
    body: { type: 'order.paid', payload: { order: 1000 + n }, priority: 'high' },
    options: { messageId: `m-${n}` },
  }),
};

const GARBAGE = [
  'no json at all',
  '',
  '[]',
  '{"type": "order.paid"',
  '{"surprise": true}',
  Buffer.from([0xff, 0x00, 0xfe]),
  '['.repeat(100000),
];

// An existing queue with arguments of its own; every other queue is asserted as most clients do it.
const ARGUMENTS = { calls: { 'x-max-priority': 5, 'x-max-length': 100000 } };

async function main(url, { queues, count }) {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  let published = 0;
  for (const [shape, queue] of Object.entries(queues)) {
    if (shape === 'envelope') await channel.checkQueue(queue);
    else await channel.assertQueue(queue, { durable: true, arguments: ARGUMENTS[shape] || {} });
    const send = (content, options) => {
      channel.sendToQueue(queue, Buffer.from(content), { persistent: true, ...options });
      published += 1;
    };
    for (let at = 0; at < 2 * count; at += 1) {
      const { body, options } = SHAPES[shape]((at * 7) % count);
      send(JSON.stringify(body), { contentType: 'application/json', ...options });
      if (at < GARBAGE.length) send(GARBAGE[at], { headers: { 'x-from': 'node', nested: { list: [1, null] } } });
    }
  }
  await channel.waitForConfirms();
  await connection.close();
  process.stdout.write(`${published}\n`);
}

main(process.argv[2], JSON.parse(process.argv[3])).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
