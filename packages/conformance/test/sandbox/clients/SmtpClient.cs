// The namespace of the page's program hides the class of the same name: without this file the program as it stands on
// the page does not compile (error CS0118).
namespace Devino.Email.SmtpClient
{
    class SmtpClient : System.Net.Mail.SmtpClient { }
}
