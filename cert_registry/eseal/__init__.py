"""E-seal structures (电子印章): making, reading and verifying SESeal and SES_Signature."""
