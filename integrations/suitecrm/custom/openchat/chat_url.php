<?php
// The address of a chat, with a pass of the agent's in it: a JWT, HS256. PHP 7.4 or later.

/** Good once, for a minute, for this user of SuiteCRM and this phone alone. */
function open_chat_url(string $service, string $secret, string $user_id, string $phone): string
{
    $now = time();
    $claims = [
        // The service puts "suitecrm-" before it: operator_prefix in PASS_KEYS_FILE.
        'sub' => $user_id,
        'phone' => $phone,
        'iat' => $now,
        'exp' => $now + 60,
        'jti' => bin2hex(random_bytes(16)),
    ];
    return rtrim($service, '/') . '/open-chat?pass=' . open_chat_sign($secret, $claims);
}

function open_chat_sign(string $secret, array $claims): string
{
    $base64url = fn(string $bytes): string => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $signed = $base64url('{"alg":"HS256","typ":"JWT"}') . '.' . $base64url(json_encode($claims, JSON_THROW_ON_ERROR));
    return $signed . '.' . $base64url(hash_hmac('sha256', $signed, $secret, true));
}
