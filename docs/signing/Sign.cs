// A pass for open-chat: Sign OPERATOR [PHONE] prints one. Needs nothing but the class library, and PASS_SECRET in the environment.
using System;
using System.Security.Cryptography;
using System.Text;

public static class Sign
{
    public static string OpenChatPass(string secret, string operatorName, string phone = null, int seconds = 600)
    {
        var exp = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + seconds;
        var claims = "{\"sub\":" + Quoted(operatorName) + ",\"exp\":" + exp
            + (string.IsNullOrWhiteSpace(phone) ? "" : ",\"phone\":" + Quoted(phone)) + "}";
        var signed = Base64Url(Encoding.UTF8.GetBytes("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"))
            + "." + Base64Url(Encoding.UTF8.GetBytes(claims));
        using (var hmac = new HMACSHA256(Encoding.UTF8.GetBytes(secret)))
        {
            return signed + "." + Base64Url(hmac.ComputeHash(Encoding.ASCII.GetBytes(signed)));
        }
    }

    // A JSON text; System.Text.Json or Newtonsoft do the same where they are at hand.
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c < ' ' || c == '"' || c == '\\') quoted.Append("\\u" + ((int)c).ToString("x4"));
            else quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }

    private static string Base64Url(byte[] bytes)
    {
        return Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    public static void Main(string[] arguments)
    {
        Console.WriteLine(OpenChatPass(Environment.GetEnvironmentVariable("PASS_SECRET"),
            arguments[0], arguments.Length > 1 ? arguments[1] : null));
    }
}
