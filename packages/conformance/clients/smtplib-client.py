"""Python's smtplib as a client under test: one message, exit code 0 when it was sent, 89 for what it cannot do.

The same in about thirty lines is all that a client in any language needs: read the arguments, send, and let the exit
code tell. What is printed is what people are shown.
"""
import argparse
import smtplib
import ssl
import sys

parser = argparse.ArgumentParser()
for name in ("host", "port", "tls", "ca", "from", "file"):
    parser.add_argument("--" + name, required=True)
for name in ("user", "password", "mechanism", "name", "timeout"):
    parser.add_argument("--" + name)
parser.add_argument("--lmtp", action="store_true")
parser.add_argument("to", nargs="+")
options = vars(parser.parse_args())

if options["tls"] == "opportunistic":
    print("smtplib has no opportunistic mode of its own")
    sys.exit(89)

context = ssl.create_default_context(cafile=options["ca"])
given = {
    "local_hostname": options["name"],
    "timeout": float(options["timeout"] or 60),
}
try:
    if options["lmtp"]:
        client = smtplib.LMTP(options["host"], int(options["port"]), **given)
    elif options["tls"] == "implicit":
        client = smtplib.SMTP_SSL(options["host"], int(options["port"]), context=context, **given)
    else:
        client = smtplib.SMTP(options["host"], int(options["port"]), **given)
    with client:
        if options["tls"] == "starttls":
            client.starttls(context=context)
        if options["user"]:
            client.user, client.password = options["user"], options["password"]
            if options["mechanism"]:
                client.ehlo_or_helo_if_needed()
                method = getattr(client, "auth_" + options["mechanism"].lower().replace("-", "_"), None)
                if method is None:
                    print("smtplib has no", options["mechanism"])
                    sys.exit(89)
                client.auth(options["mechanism"], method)
            else:
                client.login(options["user"], options["password"])
        with open(options["file"], "rb") as file:
            refused = client.sendmail(options["from"], options["to"], file.read())
        for address, (code, text) in refused.items():
            print("refused:", address, code, text.decode("utf-8", "replace"))
except (smtplib.SMTPException, OSError, ValueError, UnicodeError) as error:
    print(type(error).__name__, error)
    sys.exit(1)
