/** nodemailer's SMTPConnection, which sends one message at a time and composes none. */
import SMTPConnection from 'nodemailer/lib/smtp-connection';

export async function open({ host, port, tls, ca, auth }) {
  const connection = new SMTPConnection({
    host,
    port,
    secure: tls === 'implicit',
    ignoreTLS: tls === 'off',
    requireTLS: tls === 'starttls',
    tls: { ca },
  });
  await new Promise((resolve, reject) => {
    connection.once('error', reject);
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  if (auth) {
    await new Promise((resolve, reject) => {
      connection.login(auth, (error) => (error ? reject(error) : resolve()));
    });
  }
  return {
    sender({ from, to, content }) {
      const envelope = { from, to };
      return () =>
        new Promise((resolve, reject) => {
          connection.send(envelope, content, (error, info) =>
            error ? reject(error) : resolve(info),
          );
        });
    },
    close: async () => connection.quit(),
  };
}
